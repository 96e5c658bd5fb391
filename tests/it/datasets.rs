//! The data sets are those that `datasets/README.md` describes, and `loans.csv` is what its generator makes.

use std::path::Path;

use stagewise::core::fingerprint::Fingerprint;

#[allow(dead_code)]
#[path = "../../examples/generate_loans.rs"]
mod generate_loans;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets")
}

#[test]
fn every_file_has_the_hash_that_the_readme_states() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "csv") {
            files += 1;
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let hash = Fingerprint::of(&std::fs::read(&path).unwrap()).to_string();
            assert!(readme.contains(&name), "{name} is not in datasets/README.md");
            assert!(readme.contains(&hash), "{name} has the SHA-256 {hash}, datasets/README.md says otherwise");
        }
    }
    assert!(files >= 6, "{files} files");
}

#[test]
fn loans_are_what_their_generator_makes() {
    let stored = std::fs::read_to_string(folder().join("loans.csv")).unwrap();
    assert!(stored == generate_loans::loans(), "run `cargo run --example generate_loans` and state the new hash");
}
