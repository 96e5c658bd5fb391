//! A query to a PostgreSQL server: what it answers becomes a table.
//!
//! Values are decoded from the server's binary format here, by type, so that nothing goes through a text and back.

use std::sync::Arc;

use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{FromSql, Kind as TypeKind, Type};
use postgres::{Client, Config, NoTls, Row};
use stagewise_core::calendar::DAY;
use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_core::error::{At, Crumb, DataError, Error, Result};
use stagewise_core::schema::{Kind, Levels, MissingTokens};

use crate::kind::{EXACT_WHOLE, is_beyond_exact};
use crate::loaded::{Loaded, Source, Values, Wishes, decide, wishes_setters};

/// Microseconds and days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
const EPOCH: i64 = 946_684_800_000_000;

/// Reads what a query answers from a PostgreSQL server, in a transaction that may only read.
///
/// | PostgreSQL | column |
/// |---|---|
/// | `smallint`, `integer`, `bigint`, `oid`, `real`, `double precision`, `numeric` | number |
/// | `boolean` | flag |
/// | `date`, `timestamp`, `timestamptz` (UTC) | timestamp |
/// | an enum | category, its levels in their order |
/// | `text`, `varchar`, `char`, `name`, `uuid` | decided by the rules |
/// | anything else (`bytea`, `json`, arrays, …) | left out, with a decision |
///
/// `NULL` is missing, and so are `NaN` and infinite times, the latter with a notice. `bigint` beyond 2⁵³ is rounded, with
/// a notice. The connection is not encrypted: use a socket, this machine or a tunnel. `O(cells)`, all rows in memory.
///
/// ```
/// use stagewise_data::Postgres;
///
/// let error = Postgres::new("host=/no/such/socket user=u password=secret", "SELECT 1").read().unwrap_err();
/// assert!(error.to_string().starts_with("the database `/no/such/socket` refuses: "));
/// assert!(!error.to_string().contains("secret"));
/// ```
#[derive(Clone)]
pub struct Postgres {
    address: String,
    query: String,
    wishes: Wishes,
}

impl std::fmt::Debug for Postgres {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("query", &self.query).field("wishes", &self.wishes).finish_non_exhaustive()
    }
}

impl Postgres {
    /// What `query` answers at `address`: `host=… dbname=… user=…` or `postgresql://user@host/dbname`.
    pub fn new(address: impl Into<String>, query: impl Into<String>) -> Self {
        Self { address: address.into(), query: query.into(), wishes: Wishes::default() }
    }

    wishes_setters!(" in text columns", "type is");

    /// Asks the server.
    ///
    /// # Errors
    /// [`DataError::Query`] for a server that does not answer, a query that is wrong or would write,
    /// [`DataError::Unparsable`] with column and row for a value that is not of the kind asked for or does not decode,
    /// [`DuplicateColumn`](stagewise_core::error::SchemaError::DuplicateColumn) for two equal names in the answer.
    pub fn read(&self) -> Result<Loaded> {
        let unreadable = |_| {
            Error::from(DataError::Query {
                database: "PostgreSQL".into(),
                problem: "the address does not parse, write it as `host=… dbname=… user=…`".into(),
            })
        };
        let config: Config = self.address.parse().map_err(unreadable)?;
        let database = shown(&config);
        let refused = |e: postgres::Error| {
            // The server's own words are in the source of the error.
            let cause = std::error::Error::source(&e).map(ToString::to_string);
            let problem = cause.map_or_else(|| e.to_string(), |cause| format!("{e}: {cause}"));
            Error::from(DataError::Query { database: database.clone(), problem })
        };
        let mut client: Client = config.connect(NoTls).map_err(refused)?;
        let mut transaction = client.build_transaction().read_only(true).start().map_err(refused)?;
        let statement = transaction.prepare(&self.query).map_err(refused)?;
        let mut answers: Vec<Answer> =
            statement.columns().iter().map(|column| Answer::new(column.name(), column.type_())).collect();
        let mut count = 0;
        let none: [&str; 0] = [];
        let mut rows = transaction.query_raw(&statement, none).map_err(refused)?;
        while let Some(row) = rows.next().map_err(refused)? {
            for (i, answer) in answers.iter_mut().enumerate() {
                let added = answer.push(&row, i);
                added.at(|| Crumb::Row(count)).at(|| Crumb::column(answer.name.as_str()))?;
            }
            count += 1;
        }
        let sources = answers.iter().map(Answer::source).collect();
        decide(sources, count, &self.wishes, Vec::new())
    }
}

/// Where the server is, without a word of who asks.
fn shown(config: &Config) -> String {
    use postgres::config::Host;
    let host = config.get_hosts().first().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    });
    let host = host.unwrap_or_else(|| "localhost".into());
    config.get_dbname().map_or_else(|| host.clone(), |name| format!("{host}/{name}"))
}

/// A value as the server sends it.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A column of the answer.
struct Answer {
    name: String,
    of: Type,
    values: Kept,
    /// Whole numbers that are too large to be exact.
    large: bool,
    /// Times before and after all others.
    infinite: usize,
}

enum Kept {
    Numbers(Vec<f64>),
    Flags(Vec<Option<bool>>),
    Times(Vec<i64>),
    Texts(Vec<Option<String>>),
    Levels(Vec<u32>, Levels),
    Foreign,
}

impl Answer {
    fn new(name: &str, of: &Type) -> Self {
        let values = match *of {
            Type::INT2 | Type::INT4 | Type::INT8 | Type::OID | Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC => {
                Kept::Numbers(Vec::new())
            }
            Type::BOOL => Kept::Flags(Vec::new()),
            Type::DATE | Type::TIMESTAMP | Type::TIMESTAMPTZ => Kept::Times(Vec::new()),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::UUID => {
                Kept::Texts(Vec::new())
            }
            _ => match of.kind() {
                TypeKind::Enum(levels) => Kept::Levels(Vec::new(), Levels::new(levels.iter().map(String::as_str))),
                _ => Kept::Foreign,
            },
        };
        Self { name: name.to_string(), of: of.clone(), values, large: false, infinite: 0 }
    }

    fn push(&mut self, row: &Row, place: usize) -> Result<()> {
        let raw: Option<Raw<'_>> = row.try_get(place).map_err(Error::external)?;
        let raw = raw.map(|raw| raw.0);
        let wrong = |expected: Kind| {
            let shown: String = raw.unwrap_or_default().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            Error::from(DataError::Unparsable { value: format!("\\x{shown}"), expected })
        };
        match (&mut self.values, raw) {
            (Kept::Foreign, _) => {}
            (Kept::Numbers(values), None) => values.push(f64::NAN),
            (Kept::Numbers(values), Some(raw)) => {
                let (value, exact) = number(&self.of, raw).ok_or_else(|| wrong(Kind::Number))?;
                self.large |= !exact;
                values.push(value);
            }
            (Kept::Flags(values), None) => values.push(None),
            (Kept::Flags(values), Some([0])) => values.push(Some(false)),
            (Kept::Flags(values), Some([_])) => values.push(Some(true)),
            (Kept::Flags(_), Some(_)) => return Err(wrong(Kind::Flag)),
            (Kept::Times(values), None) => values.push(MISSING_TIME),
            (Kept::Times(values), Some(raw)) => {
                let time = time(raw).ok_or_else(|| wrong(Kind::Timestamp))?;
                self.infinite += usize::from(time == MISSING_TIME);
                values.push(time);
            }
            (Kept::Texts(values), None) => values.push(None),
            (Kept::Texts(values), Some(raw)) if self.of == Type::UUID => values.push(Some(uuid(raw))),
            (Kept::Texts(values), Some(raw)) => {
                values.push(Some(std::str::from_utf8(raw).map_err(|_| wrong(Kind::Text))?.to_string()));
            }
            (Kept::Levels(codes, _), None) => codes.push(MISSING_CODE),
            (Kept::Levels(codes, levels), Some(raw)) => {
                codes.push(levels.intern(std::str::from_utf8(raw).map_err(|_| wrong(Kind::Category))?));
            }
        }
        Ok(())
    }

    fn source(&self) -> Source<'_> {
        let values = match &self.values {
            Kept::Numbers(values) => Values::Typed(Column::numbers(values.as_slice())),
            Kept::Flags(values) => Values::Typed(Column::flags(values.as_slice())),
            Kept::Times(values) => Values::Typed(Column::timestamps(values.as_slice())),
            Kept::Texts(values) => Values::Texts(values.iter().map(Option::as_deref).collect()),
            Kept::Levels(codes, levels) => {
                Values::Typed(Column::Category { codes: Arc::new(codes.clone()), levels: Arc::new(levels.clone()) })
            }
            Kept::Foreign => Values::Foreign(format!("values of type {}", self.of.name())),
        };
        let large = self
            .large
            .then(|| "holds whole numbers too large to be exact: cast them to text if they are names".to_string());
        let infinite = (self.infinite > 0)
            .then(|| format!("{} beyond the range of timestamps became missing", crate::kind::rows(self.infinite)));
        Source { name: self.name.clone(), values, notice: large.or(infinite) }
    }
}

/// A number, and whether it is exact if it is whole.
fn number(of: &Type, raw: &[u8]) -> Option<(f64, bool)> {
    let whole = |x: i64| (x as f64, !is_beyond_exact(x.unsigned_abs()));
    Some(match *of {
        Type::INT2 => whole(i16::from_be_bytes(raw.try_into().ok()?).into()),
        Type::INT4 => whole(i32::from_be_bytes(raw.try_into().ok()?).into()),
        Type::INT8 => whole(i64::from_be_bytes(raw.try_into().ok()?)),
        Type::OID => whole(u32::from_be_bytes(raw.try_into().ok()?).into()),
        Type::FLOAT4 => (f32::from_be_bytes(raw.try_into().ok()?).into(), true),
        Type::FLOAT8 => (f64::from_be_bytes(raw.try_into().ok()?), true),
        Type::NUMERIC => numeric(raw)?,
        _ => return None,
    })
}

/// A decimal number: digits of base 10 000 behind a count, the weight of the first, a sign and a scale.
fn numeric(raw: &[u8]) -> Option<(f64, bool)> {
    let word = |i: usize| Some(u16::from_be_bytes(raw.get(2 * i..2 * i + 2)?.try_into().ok()?));
    let (count, weight, sign) = (usize::from(word(0)?), word(1)?.cast_signed(), word(2)?);
    match sign {
        0x0000 | 0x4000 => {}
        0xC000 => return Some((f64::NAN, true)),
        0xD000 => return Some((f64::INFINITY, true)),
        0xF000 => return Some((f64::NEG_INFINITY, true)),
        _ => return None,
    }
    // As a text of digits and an exponent, so that it is rounded once.
    let mut text = String::from(if sign == 0x4000 { "-0" } else { "0" });
    for i in 0..count {
        text += &format!("{:04}", word(4 + i)?);
    }
    let exponent = 4 * (i64::from(weight) + 1 - i64::try_from(count).ok()?);
    let value: f64 = format!("{text}e{exponent}").parse().ok()?;
    // The bound itself reads as the next number does: there the digits decide.
    let digits = || if exponent == 0 { text.trim_start_matches('-').parse().ok() } else { None };
    let exact = value.abs() < EXACT_WHOLE || digits().is_some_and(|size| !is_beyond_exact(size));
    Some((value, value.fract() != 0.0 || exact))
}

/// A date of four bytes or a time of eight; infinite ones are missing.
fn time(raw: &[u8]) -> Option<i64> {
    if let Ok(days) = raw.try_into().map(i32::from_be_bytes) {
        let infinite = days == i32::MAX || days == i32::MIN;
        return Some(if infinite { MISSING_TIME } else { i64::from(days) * DAY + EPOCH });
    }
    let micros = i64::from_be_bytes(raw.try_into().ok()?);
    let infinite = micros == i64::MAX || micros == i64::MIN;
    Some(if infinite { MISSING_TIME } else { micros.checked_add(EPOCH).unwrap_or(MISSING_TIME) })
}

fn uuid(raw: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in raw.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text += &format!("{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    #[test]
    fn decimals_are_rounded_once() {
        let raw = |words: &[u16]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
        // 12345.678 is 1 | 2345 . 6780, weight 1.
        assert_eq!(numeric(&raw(&[3, 1, 0, 3, 1, 2345, 6780])), Some((12345.678, true)));
        assert_eq!(numeric(&raw(&[1, 0xFFFF, 0x4000, 1, 1000])), Some((-0.1, true)));
        assert_eq!(numeric(&raw(&[0, 0, 0, 0])), Some((0.0, true)));
        assert_eq!(numeric(&raw(&[1, 4, 0, 0, 5])), Some((5e16, false)));
        assert_eq!(numeric(&raw(&[4, 3, 0, 0, 9007, 1992, 5474, 992])), Some((EXACT_WHOLE, true)));
        assert_eq!(numeric(&raw(&[4, 3, 0x4000, 0, 9007, 1992, 5474, 993])), Some((-EXACT_WHOLE, false)));
        assert_eq!(numeric(&raw(&[0, 0, 0xD000, 0])), Some((f64::INFINITY, true)));
        assert_eq!((numeric(&raw(&[2, 0, 0, 0, 1])), numeric(&[])), (None, None));
        assert_eq!(time(&i32::MAX.to_be_bytes()), Some(MISSING_TIME));
        assert_eq!(time(&[0; 3]), None);
    }

    /// A server of this test's own, in a folder, that answers on a socket there.
    struct Server {
        programs: PathBuf,
        folder: PathBuf,
    }

    impl Server {
        /// None, with a message, where PostgreSQL's programs are not installed.
        fn start() -> Option<Self> {
            let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
                .map(|entries| entries.flatten().map(|e| e.path().join("bin")).collect())
                .unwrap_or_default();
            versions.retain(|programs| programs.join("initdb").is_file());
            versions.sort();
            let Some(programs) = versions.pop() else {
                eprintln!("skipped: there is no PostgreSQL server under /usr/lib/postgresql");
                return None;
            };
            let folder = std::env::temp_dir().join(format!("stagewise-pg-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let server = Self { programs, folder };
            server.run("chown", &["postgres", &server.folder.display().to_string()], false);
            let data = server.folder.join("data").display().to_string();
            server.run("initdb", &["-D", &data, "-A", "trust", "-U", "postgres", "--no-sync"], true);
            let options = format!("-k {} -c listen_addresses= -c fsync=off", server.folder.display());
            let log = server.folder.join("log").display().to_string();
            server.run("pg_ctl", &["-D", &data, "-w", "-s", "-o", &options, "-l", &log, "start"], true);
            Some(server)
        }

        /// Runs a program, those of the server not as root, which they refuse.
        fn run(&self, program: &str, arguments: &[&str], as_postgres: bool) {
            let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
            let mut command = match (as_postgres, root) {
                (true, true) => {
                    let mut command = Command::new("su");
                    let quoted = arguments.iter().map(|a| format!("'{a}'")).collect::<Vec<_>>().join(" ");
                    command.args(["postgres", "-c", &format!("{} {quoted}", self.programs.join(program).display())]);
                    command
                }
                (true, false) => {
                    let mut command = Command::new(self.programs.join(program));
                    command.args(arguments);
                    command
                }
                (false, true) => {
                    let mut command = Command::new(program);
                    command.args(arguments);
                    command
                }
                (false, false) => return,
            };
            let status = command.current_dir("/").stdout(std::process::Stdio::null()).status().unwrap();
            assert!(status.success(), "{program}");
        }

        fn address(&self) -> String {
            format!("host={} user=postgres dbname=postgres", self.folder.display())
        }

        fn client(&self) -> Client {
            Client::connect(&self.address(), NoTls).unwrap()
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let data: &Path = &self.folder.join("data");
            self.run("pg_ctl", &["-D", &data.display().to_string(), "-m", "immediate", "-s", "stop"], true);
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    #[test]
    fn a_real_server_is_asked() {
        let Some(server) = Server::start() else { return };
        let statements = "
            CREATE TYPE grade AS ENUM ('low', 'high');
            CREATE TABLE t (i smallint, b bigint, d double precision, n numeric, ok boolean, day date, at timestamptz,
                            plan text, g grade, u uuid, j jsonb, a integer[]);
            INSERT INTO t VALUES
                (1, 9007199254740993, 0.1, 12345.678, true, '2024-02-29', '1970-01-01 01:00:00+01', 'pro', 'high',
                 '00000000-0000-0000-0000-0000000000ff', '{}', '{1}'),
                (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
                (-3, 2, 'Infinity', -0.001, false, 'infinity', '1969-12-31 23:59:59.999999Z', 'basic', 'low',
                 '00000000-0000-0000-0000-000000000001', NULL, NULL);";
        server.client().batch_execute(statements).unwrap();
        let ask = |query: &str| Postgres::new(server.address(), query);
        let loaded = ask("SELECT * FROM t").read().unwrap();
        let column = |name: &str| loaded.table.column(name).unwrap();
        assert_eq!(loaded.table.schema().names(), ["i", "b", "d", "n", "ok", "day", "at", "plan", "g", "u"]);
        assert_eq!(column("i"), &Column::numbers([1.0, f64::NAN, -3.0]));
        assert_eq!(column("d"), &Column::numbers([0.1, f64::NAN, f64::INFINITY]));
        assert_eq!(column("n"), &Column::numbers([12345.678, f64::NAN, -0.001]));
        assert_eq!(column("ok"), &Column::flags([Some(true), None, Some(false)]));
        assert_eq!(column("day"), &Column::timestamps([1_709_164_800_000_000, MISSING_TIME, MISSING_TIME]));
        assert_eq!(column("at"), &Column::timestamps([0, MISSING_TIME, -1]));
        assert_eq!(column("plan"), &Column::categories([Some("pro"), None, Some("basic")]));
        let (codes, levels) = column("g").as_categories().unwrap();
        assert_eq!((codes, levels.to_strings()), (&[1, MISSING_CODE, 0][..], vec!["low".to_string(), "high".into()]));
        assert_eq!(loaded.notices().map(|(name, _)| name).collect::<Vec<_>>(), ["b", "day"]);
        assert!(!loaded.decision("j").unwrap().kept && !loaded.decision("a").unwrap().kept);
        let empty = ask("SELECT i, plan FROM t WHERE i > 9").read().unwrap();
        assert_eq!((empty.table.rows(), empty.table.width()), (0, 2));
        let refused = |query: &str| ask(query).read().unwrap_err().to_string();
        assert!(refused("SELECT x FROM t").contains("column \"x\" does not exist"), "{}", refused("SELECT x FROM t"));
        assert!(refused("DELETE FROM t").contains("read-only transaction"), "{}", refused("DELETE FROM t"));
        assert_eq!(refused("SELECT i, i FROM t"), "two columns are named `i`; rename one");
        let error = ask("SELECT plan FROM t").kind("plan", Kind::Number).read().unwrap_err().to_string();
        assert!(error.starts_with("column `plan` › row 0: `pro` is not a number"), "{error}");
        let wide = (0..2_000).map(|i| format!("1 AS c{i}")).collect::<Vec<_>>().join(", ");
        assert!(refused(&format!("SELECT {wide}")).contains("refuses: "));
    }
}
