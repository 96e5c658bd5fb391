//! The command line that every example shares: nothing, or `FILE.csv --target COLUMN [--event LEVEL]`.

use std::path::PathBuf;

/// Which table, and what to predict.
pub(crate) struct Arguments {
    pub(crate) file: PathBuf,
    pub(crate) target: String,
    pub(crate) event: Option<String>,
}

impl Arguments {
    /// Reads the command line; without arguments, the example's own data set.
    pub(crate) fn parse(file: &str, target: &str, event: Option<&str>) -> Result<Self, String> {
        const USAGE: &str = "usage: FILE.csv --target COLUMN [--event LEVEL], or nothing for the example's own data";
        let usage = |problem: &str| format!("{problem}\n{USAGE}");
        let mut words = std::env::args().skip(1);
        let (mut given, mut goal, mut level) = (None, None, None);
        while let Some(word) = words.next() {
            let mut value = |name: &str| words.next().ok_or_else(|| usage(&format!("`{name}` needs a value")));
            match word.as_str() {
                "--target" => goal = Some(value("--target")?),
                "--event" => level = Some(value("--event")?),
                "--help" | "-h" => return Err(USAGE.into()),
                flag if flag.starts_with("--") => return Err(usage(&format!("`{flag}` is not known"))),
                path if given.is_none() => given = Some(PathBuf::from(path)),
                other => return Err(usage(&format!("`{other}` is one file too many"))),
            }
        }
        match (given, goal) {
            (Some(file), Some(target)) => Ok(Self { file, target, event: level }),
            (Some(_), None) => Err(usage("which column is predicted? Name it with `--target`")),
            (None, None) => Ok(Self { file: file.into(), target: target.into(), event: event.map(String::from) }),
            (None, Some(_)) => Err(usage("`--target` needs a file")),
        }
    }
}
