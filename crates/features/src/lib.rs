//! Feature engineering for stagewise: imputers, scalers, encoders.
//!
//! | what | stage | what it learns |
//! |---|---|---|
//! | fill in missing numbers | [`MedianImputer`] | the median of each column |
//! | fill in missing levels, flags, numbers | [`MostFrequentImputer`] | the most frequent value of each column |
//! | bring numbers to one scale | [`StandardScaler`] | mean and standard deviation of each column |
//! | levels to numbers | [`OneHotEncoder`] | the levels of each column |
//!
//! Stages that change columns one by one are built on [`rewrite`]: a spec says which columns, a rule is learned for each,
//! and one mechanism applies the rules to batches and to single rows. Columns keep their order; what a column becomes
//! stands where it stood. Stages that look at several columns at once are built on [`joint`] in the same way.

pub mod bias;
pub mod combine;
pub mod encode;
pub mod impute;
pub mod joint;
pub mod rewrite;
pub mod scale;
#[cfg(test)]
mod test_tables;

use stagewise_core::registry::Registry;

pub use stagewise_core::columns;

pub use encode::one_hot::{DropLevel, FittedOneHotEncoder, OneHotEncoder};
pub use encode::unseen::{MissingLevel, Unseen};
pub use impute::fill::{Fill, FittedImputer};
pub use impute::median::MedianImputer;
pub use impute::most_frequent::MostFrequentImputer;
pub use scale::standard::{FittedStandardScaler, StandardScaler};

/// Registers every stage of this crate.
pub fn register(registry: &mut Registry) {
    registry
        .transformer::<MedianImputer>()
        .transformer::<MostFrequentImputer>()
        .transformer::<StandardScaler>()
        .transformer::<OneHotEncoder>();
    bias::register(registry);
    combine::register(registry);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_one_type_each() {
        let mut registry = Registry::new();
        register(&mut registry);
        registry.check().unwrap();
        let tags: Vec<_> = registry.tags().into_iter().map(|(_, tag)| tag).collect();
        for tag in ["FittedImputer", "FittedOneHotEncoder", "FittedStandardScaler", "MedianImputer"] {
            assert!(tags.contains(&tag), "{tag} is not registered");
        }
    }
}
