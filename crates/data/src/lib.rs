//! Training data for stagewise: readers, kind inference, splits, profiles.
