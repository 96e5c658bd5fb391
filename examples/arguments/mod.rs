//! The command line that every example shares: nothing, or
//! `FILE.csv --target COLUMN [--event LEVEL] [--ignore COLUMN]…`.

use std::path::PathBuf;
use std::process::ExitCode;

/// Which table, and what to predict.
pub(crate) struct Arguments {
    pub(crate) file: PathBuf,
    pub(crate) target: String,
    pub(crate) event: Option<String>,
    pub(crate) ignore: Vec<String>,
}

impl Arguments {
    /// Reads the command line; without arguments, the example's own data set.
    pub(crate) fn parse(file: &str, target: &str, event: Option<&str>, ignore: &[&str]) -> Result<Self, String> {
        const USAGE: &str =
            "usage: FILE.csv --target COLUMN [--event LEVEL] [--ignore COLUMN]…, or nothing for the example's own data";
        let usage = |problem: &str| format!("{problem}\n{USAGE}");
        let mut words = std::env::args().skip(1);
        let (mut given, mut goal, mut level, mut left_out) = (None, None, None, Vec::new());
        while let Some(word) = words.next() {
            let mut value = |name: &str| words.next().ok_or_else(|| usage(&format!("`{name}` needs a value")));
            match word.as_str() {
                "--target" => goal = Some(value("--target")?),
                "--event" => level = Some(value("--event")?),
                "--ignore" => left_out.push(value("--ignore")?),
                "--help" | "-h" => return Err(USAGE.into()),
                flag if flag.starts_with("--") => return Err(usage(&format!("`{flag}` is not known"))),
                path if given.is_none() => given = Some(PathBuf::from(path)),
                other => return Err(usage(&format!("`{other}` is one file too many"))),
            }
        }
        match (given, goal) {
            (Some(file), Some(target)) => Ok(Self { file, target, event: level, ignore: left_out }),
            (Some(_), None) => Err(usage("which column is predicted? Name it with `--target`")),
            (None, None) => Ok(Self {
                file: file.into(),
                target: target.into(),
                event: event.map(String::from),
                ignore: ignore.iter().map(ToString::to_string).collect(),
            }),
            (None, Some(_)) => Err(usage("`--target` needs a file")),
        }
    }
}

/// Runs an example: a wrong command line is answered with its usage, an error with what went wrong.
pub(crate) fn main<E: std::fmt::Display>(
    arguments: Result<Arguments, String>,
    run: impl FnOnce(&Arguments) -> Result<(), E>,
) -> ExitCode {
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
