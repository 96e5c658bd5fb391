//! Training rows with other shares of the classes: for targets where one class is rare.
//!
//! | sampler | what it does |
//! |---|---|
//! | [`RandomOverSampler`], [`RandomUnderSampler`] | repeats rows of small classes; drops rows of large ones |
//! | [`Smote`], [`BorderlineSmote`], [`Adasyn`] | adds rows between near rows of a small class |
//! | [`TomekLinks`], [`EditedNearestNeighbours`], [`NeighbourhoodCleaning`] | drop rows that stand among another class |
//! | [`NearMiss`] | keeps the rows of large classes that are near a small one |
//! | [`SmoteTomek`], [`SmoteEnn`] | add rows, then clean |
//!
//! All are [`Sampler`](stagewise_core::stage::Sampler)s: in a pipeline they change training rows only, in each fold those of
//! the fold. They are for [`Classes`]: with another task they do not compile. Classes are counted in rows; a weight, a
//! group or an id follows the row that a new row starts from. A model learned on balanced rows answers with too large
//! probabilities for the small class: calibrate it on rows as they are.

mod adasyn;
mod borderline;
mod classes;
mod combined;
mod edited;
mod near_miss;
mod neighbourhood;
#[cfg(test)]
mod peers;
mod random;
mod ratio;
mod smote;
mod space;
mod synthetic;
mod tomek;

use stagewise_core::registry::Registry;
use stagewise_core::task::{Binary, Multiclass};

pub use self::adasyn::Adasyn;
pub use self::borderline::BorderlineSmote;
pub use self::classes::Classes;
pub use self::combined::{SmoteEnn, SmoteTomek};
pub use self::edited::{EditedNearestNeighbours, NeighbourVote};
pub use self::near_miss::{NearMiss, NearMissVersion};
pub use self::neighbourhood::NeighbourhoodCleaning;
pub use self::random::{RandomOverSampler, RandomUnderSampler};
pub use self::smote::Smote;
pub(crate) use self::space::{Space, spread};
pub(crate) use self::synthetic::{between, between_times};
pub use self::tomek::TomekLinks;

/// Registers the samplers.
pub(crate) fn register(registry: &mut Registry) {
    macro_rules! both {
        ($($sampler:ty),*) => {
            $(registry.sampler::<Binary, $sampler>().sampler::<Multiclass, $sampler>();)*
        };
    }
    both!(RandomOverSampler, RandomUnderSampler, Smote, BorderlineSmote, Adasyn, TomekLinks, EditedNearestNeighbours);
    both!(NearMiss, NeighbourhoodCleaning, SmoteTomek, SmoteEnn);
}
