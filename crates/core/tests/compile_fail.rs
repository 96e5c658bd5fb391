//! The usual mistakes do not compile, and the compiler says why.
//!
//! The words are the compiler's, so they are compared under the version that they were recorded with; that the mistakes
//! do not compile under any version is the business of the `compile_fail` doctests in `stagewise_core::mistakes`.

use std::process::Command;

const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
fn mistakes_are_answered_with_help() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("the compiler answers");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if version.starts_with(RECORDED_WITH) {
        trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
    } else {
        println!("messages were recorded with {RECORDED_WITH}x, this is {version}: not compared");
    }
}
