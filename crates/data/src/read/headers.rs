//! The shapes of Parquet's headers, in Thrift (parquet-format 2.11): every field that a decoder may know.

use super::thrift::Shape::{self, Binary, Byte, Flag, Int, List, Struct};

const EMPTY: Shape = Struct(&[]);
const TIME: Shape = Struct(&[(1, Flag), (2, Struct(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]))]);

const LOGICAL_TYPE: Shape = Struct(&[
    (1, EMPTY),
    (2, EMPTY),
    (3, EMPTY),
    (4, EMPTY),
    (5, Struct(&[(1, Int), (2, Int)])),
    (6, EMPTY),
    (7, TIME),
    (8, TIME),
    (10, Struct(&[(1, Byte), (2, Flag)])),
    (11, EMPTY),
    (12, EMPTY),
    (13, EMPTY),
    (14, EMPTY),
    (15, EMPTY),
    (16, Struct(&[(1, Byte)])),
    (17, Struct(&[(1, Binary)])),
    (18, Struct(&[(1, Binary), (2, Int)])),
]);

const SCHEMA_ELEMENT: Shape = Struct(&[
    (1, Int),
    (2, Int),
    (3, Int),
    (4, Binary),
    (5, Int),
    (6, Int),
    (7, Int),
    (8, Int),
    (9, Int),
    (10, LOGICAL_TYPE),
]);

const STATISTICS_FIELDS: [(i16, Shape); 8] =
    [(1, Binary), (2, Binary), (3, Int), (4, Int), (5, Binary), (6, Binary), (7, Flag), (8, Flag)];
const STATISTICS: Shape = Struct(&STATISTICS_FIELDS);

const KEY_VALUE: Shape = Struct(&[(1, Binary), (2, Binary)]);

const COLUMN_META_DATA: Shape = Struct(&[
    (1, Int),
    (2, List(&Int)),
    (3, List(&Binary)),
    (4, Int),
    (5, Int),
    (6, Int),
    (7, Int),
    (8, List(&KEY_VALUE)),
    (9, Int),
    (10, Int),
    (11, Int),
    (12, STATISTICS),
    (13, List(&Struct(&[(1, Int), (2, Int), (3, Int)]))),
    (14, Int),
    (15, Int),
    (16, Struct(&[(1, Int), (2, List(&Int)), (3, List(&Int))])),
]);

const COLUMN_CHUNK: Shape =
    Struct(&[(1, Binary), (2, Int), (3, COLUMN_META_DATA), (4, Int), (5, Int), (6, Int), (7, Int)]);

const ROW_GROUP: Shape = Struct(&[
    (1, List(&COLUMN_CHUNK)),
    (2, Int),
    (3, Int),
    (4, List(&Struct(&[(1, Int), (2, Flag), (3, Flag)]))),
    (5, Int),
    (6, Int),
    (7, Int),
]);

/// The footer of a file.
pub(super) static FILE: [(i16, Shape); 7] = [
    (1, Int),
    (2, List(&SCHEMA_ELEMENT)),
    (3, Int),
    (4, List(&ROW_GROUP)),
    (5, List(&KEY_VALUE)),
    (6, Binary),
    (7, List(&Struct(&[(1, EMPTY), (2, EMPTY)]))),
];

/// The header of a page.
pub(super) static PAGE: [(i16, Shape); 8] = [
    (1, Int),
    (2, Int),
    (3, Int),
    (4, Int),
    (5, Struct(&[(1, Int), (2, Int), (3, Int), (4, Int), (5, STATISTICS)])),
    (6, EMPTY),
    (7, Struct(&[(1, Int), (2, Int), (3, Flag)])),
    (8, Struct(&[(1, Int), (2, Int), (3, Int), (4, Int), (5, Int), (6, Int), (7, Flag), (8, STATISTICS)])),
];
