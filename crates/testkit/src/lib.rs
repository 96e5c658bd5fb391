//! Conformance checks and the golden-value loader of stagewise.
