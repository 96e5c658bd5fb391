//! Numbers to a common scale, and to a common shape.
//!
//! What is a line for each column (standard, min-max, max-abs, robust) learns a [`Scaling`]; logarithms, powers and
//! quantiles bend the scale; [`UnitNorm`] looks at all columns of a row at once.

pub(crate) mod finite;
mod log;
mod max_abs;
mod min_max;
mod not_defined;
mod power;
mod quantile;
mod robust;
mod scaling;
mod standard;
mod unit_norm;

#[cfg(test)]
mod golden_tests;

use stagewise_core::registry::Registry;

pub use log::{FittedLog, Log, Logarithm};
pub use max_abs::{FittedMaxAbsScaler, MaxAbsScaler};
pub use min_max::{FittedMinMaxScaler, MinMaxScaler};
pub use not_defined::NotDefined;
pub use power::{FittedPowerTransformer, Power, PowerKind, PowerTransformer};
pub use quantile::{FittedQuantileTransformer, QuantileMap, QuantileOutput, QuantileTransformer};
pub use robust::{FittedRobustScaler, RobustScaler};
pub use scaling::{Scaler, Scaling};
pub use standard::{FittedStandardScaler, StandardScaler};
pub use unit_norm::{FittedUnitNorm, Norm, UnitLength, UnitNorm};

pub(crate) fn register(registry: &mut Registry) {
    registry
        .transformer::<StandardScaler>()
        .transformer::<MinMaxScaler>()
        .transformer::<MaxAbsScaler>()
        .transformer::<RobustScaler>()
        .transformer::<UnitNorm>()
        .transformer::<Log>()
        .transformer::<PowerTransformer>()
        .transformer::<QuantileTransformer>();
}
