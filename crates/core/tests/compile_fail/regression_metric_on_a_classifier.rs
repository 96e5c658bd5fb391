//! A metric belongs to a task.

use serde::{Deserialize, Serialize};
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::problem::{Problem, at_most};
use stagewise_core::task::{Binary, Regression, Task};
use stagewise_core::Result;

#[derive(Clone, Serialize, Deserialize)]
struct Rmse;

impl Persist for Rmse {
    const TAG: &'static str = "Rmse";
}

impl Metric<Regression> for Rmse {
    fn name(&self) -> String {
        "rmse".into()
    }
    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }
    fn range(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }
    fn score(
        &self,
        _: &<Regression as Task>::Target,
        _: &<Regression as Task>::Output,
        _: Option<&[f64]>,
    ) -> Result<f64> {
        Ok(0.0)
    }
}

fn main() {
    let _ = Problem::<Regression>::new("price").primary(Rmse, at_most(3.0));
    let _ = Problem::<Binary>::new("churned").primary(Rmse, at_most(3.0));
}
