//! A sampler changes training rows only, so it is no step that serving runs.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::persist::Persist;
use stagewise_core::pipeline::Pipeline;
use stagewise_core::problem::Problem;
use stagewise_core::stage::Sampler;
use stagewise_core::task::{Binary, Task};
use stagewise_core::Result;

#[derive(Clone, Serialize, Deserialize)]
struct Half;

impl Persist for Half {
    const TAG: &'static str = "Half";
}

impl<T: Task> Sampler<T> for Half {
    fn resample(&self, train: Dataset<T>, _: &FitContext) -> Result<Dataset<T>> {
        Ok(train)
    }
}

fn main() {
    let problem = Problem::<Binary>::new("churned");
    let _ = Pipeline::builder(problem.clone()).sample("half", Half);
    let _ = Pipeline::builder(problem).step("half", Half);
}
