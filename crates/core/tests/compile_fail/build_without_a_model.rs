//! Steps, then a model, then nothing but calibration: the order is a type.

use stagewise_core::pipeline::Pipeline;
use stagewise_core::problem::Problem;
use stagewise_core::task::Binary;

fn main() {
    let _ = Pipeline::builder(Problem::<Binary>::new("churned")).build();
}
