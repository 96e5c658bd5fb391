//! Reading an excerpt takes memory for what is kept and for a piece of the file, not for the file. Alone in this binary,
//! because the peak of a process is that of all its tests.

#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use stagewise_data::{Condition, Excerpt};

const MIB: usize = 1 << 20;

/// The most memory that the process has had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// A file of at least so many bytes, and how many rows it has.
fn file(name: &str, size: usize) -> (PathBuf, usize) {
    let path = std::env::temp_dir().join(format!("stagewise-{name}-{}.csv", std::process::id()));
    let mut out = BufWriter::new(std::fs::File::create(&path).unwrap());
    let (mut written, mut row, mut line) = (0, 0_usize, String::from("id,shop,price,day,note\n"));
    while written < size {
        out.write_all(line.as_bytes()).unwrap();
        written += line.len();
        line.clear();
        let (shop, price, day) = (row % 1000, row.wrapping_mul(7919) % 100_000, 1 + row % 28);
        writeln!(line, "{row},shop {shop},{}.{:02},2024-02-{day:02},\"a note, of {row}\"", price / 100, price % 100)
            .unwrap();
        row += 1;
    }
    out.flush().unwrap();
    (path, row - 1)
}

fn rows_of(path: &Path, excerpt: impl Fn(Excerpt) -> Excerpt) -> usize {
    excerpt(Excerpt::csv(path)).read().unwrap().table.rows()
}

fn takes_no_more_than(size: usize, bound: usize) {
    let (path, rows) = file("memory", size);
    // What a process needs once is not counted.
    assert_eq!(rows_of(&path, |excerpt| excerpt.first(10)), 10);
    let before = peak();
    let shop = |excerpt: Excerpt| excerpt.columns(["id", "price"]).keep("shop", Condition::equal("shop 7"));
    assert_eq!(rows_of(&path, shop), rows / 1000 + usize::from(rows % 1000 > 7));
    assert_eq!(rows_of(&path, |excerpt| excerpt.sample(1000, 5)), 1000);
    let grown = peak() - before;
    std::fs::remove_file(path).unwrap();
    assert!(grown < bound, "{} MiB more for a file of {} MiB", grown / MIB, size / MIB);
}

#[test]
fn memory_does_not_grow_with_the_file() {
    takes_no_more_than(96 * MIB, 48 * MIB);
}

#[test]
#[ignore = "writes 400 MiB"]
fn memory_does_not_grow_with_a_large_file() {
    takes_no_more_than(400 * MIB, 64 * MIB);
}
