//! A holdout is for one look.

use stagewise_core::holdout::Holdout;
use stagewise_core::ledger::Ledger;
use stagewise_core::pipeline::FittedPipeline;
use stagewise_core::task::Binary;

fn twice(holdout: Holdout<Binary>, fitted: FittedPipeline<Binary>, ledger: &mut Ledger) {
    let _ = holdout.evaluate_once(&fitted, ledger);
    let _ = holdout.evaluate_once(&fitted, ledger);
}

fn on_a_copy(holdout: &Holdout<Binary>, fitted: FittedPipeline<Binary>, ledger: &mut Ledger) {
    let _ = holdout.clone().evaluate_once(&fitted, ledger);
}

fn main() {}
