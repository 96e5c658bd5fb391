//! The crates are a star: siblings do not know each other, and only `data` knows polars. (ARCHITECTURE.md, I9)

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

const SIBLINGS: [&str; 7] = ["data", "deploy", "eval", "features", "model", "monitor", "report"];

/// Package to normal dependencies, as cargo sees them.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo answers");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo answers in JSON");
    let package = |package: &Value| {
        let normal = |dependency: &&Value| dependency["kind"].is_null();
        let names = package["dependencies"].as_array().unwrap().iter().filter(normal);
        let names = names.map(|d| d["name"].as_str().unwrap().to_string()).collect();
        (package["name"].as_str().unwrap().to_string(), names)
    };
    metadata["packages"].as_array().expect("packages").iter().map(package).collect()
}

#[test]
fn siblings_do_not_depend_on_each_other() {
    let dependencies = dependencies();
    for name in SIBLINGS {
        let of = &dependencies[&format!("stagewise-{name}")];
        let ours: Vec<_> = of.iter().filter(|d| d.starts_with("stagewise")).collect();
        assert!(
            ours.iter().all(|d| ["stagewise-core", "stagewise-numeric"].contains(&d.as_str())),
            "{name} depends on {ours:?}"
        );
    }
    let ours = |name: &str| dependencies[name].iter().filter(|d| d.starts_with("stagewise")).count();
    assert_eq!(ours("stagewise-numeric"), 0, "numeric depends on nothing of ours");
    assert_eq!(dependencies["stagewise-core"].iter().filter(|d| d.starts_with("stagewise")).count(), 1);
}

#[test]
fn only_data_knows_polars() {
    let with_polars: Vec<_> = dependencies()
        .into_iter()
        .filter(|(_, of)| of.iter().any(|d| d.starts_with("polars")))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(with_polars, ["stagewise-data"]);
}
