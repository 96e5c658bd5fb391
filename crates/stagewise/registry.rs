//! Every built-in stage in one registry.

use stagewise_core::registry::Registry;

/// The registry of all built-in stages and metrics. Add your own to it before loading an artifact that holds them.
///
/// ```
/// let registry = stagewise::registry();
/// assert!(registry.check().is_ok());
/// assert!(registry.tags().contains(&("transformer", "StandardScaler")));
/// ```
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    stagewise_data::register(&mut registry);
    stagewise_features::register(&mut registry);
    stagewise_model::register(&mut registry);
    stagewise_eval::register(&mut registry);
    registry
}
