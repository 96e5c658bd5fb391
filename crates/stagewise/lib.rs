//! stagewise
