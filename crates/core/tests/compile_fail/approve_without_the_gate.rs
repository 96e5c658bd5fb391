//! Only the gate makes an approval: a report is none.

use stagewise_core::gate::{Approved, GateReport};

fn deploy(_: Approved) {}

fn without_asking(report: GateReport) {
    deploy(report);
}

fn main() {}
