//! Tags to loaders: an explicit value that the caller builds, so that nothing is loaded that was not named.
//!
//! Each crate offers `register(&mut Registry)`; the facade's `registry()` calls them all. A program with stages of its
//! own adds them to that value.

use std::collections::BTreeMap;

use crate::error::{PersistError, Result};
use crate::metric::{AnyMetric, Metric};
use crate::persist::{Persist, Saved};
use crate::pipeline::erased::{
    BoxCalibrate, BoxCalibrator, BoxLearner, BoxModel, BoxSampler, BoxTransform, BoxTransformer,
};
use crate::stage::{Calibrator, Learner, Sampler, Transform, Transformer};
use crate::task::{Binary, Multiclass, Ranking, Regression, Task};

/// How to load every stage that a program knows.
///
/// Registering the same type twice is harmless; two types under one tag is a fault that
/// [`check`](Self::check) reports.
#[derive(Default)]
pub struct Registry {
    pub(crate) regression: Loaders<Regression>,
    pub(crate) binary: Loaders<Binary>,
    pub(crate) multiclass: Loaders<Multiclass>,
    pub(crate) ranking: Loaders<Ranking>,
    transforms: Shelf<BoxTransform>,
}

/// What can be loaded for one task.
pub struct Loaders<T: Task> {
    transformers: Shelf<BoxTransformer<T>>,
    samplers: Shelf<BoxSampler<T>>,
    learners: Shelf<BoxLearner<T>>,
    models: Shelf<BoxModel<T>>,
    calibrators: Shelf<BoxCalibrator<T>>,
    calibrates: Shelf<BoxCalibrate<T>>,
    metrics: Shelf<AnyMetric<T>>,
}

impl<T: Task> Default for Loaders<T> {
    fn default() -> Self {
        Self {
            transformers: Shelf::new("transformer"),
            samplers: Shelf::new("sampler"),
            learners: Shelf::new("learner"),
            models: Shelf::new("model"),
            calibrators: Shelf::new("calibrator"),
            calibrates: Shelf::new("fitted calibrator"),
            metrics: Shelf::new("metric"),
        }
    }
}

type Load<V> = fn(&Saved, &Registry) -> Result<V>;

/// The loaders of one role.
struct Shelf<V> {
    role: &'static str,
    loaders: BTreeMap<&'static str, (&'static str, Load<V>)>,
    clashes: Vec<&'static str>,
}

impl<V> Default for Shelf<V> {
    fn default() -> Self {
        Self::new("transform")
    }
}

impl<V> Shelf<V> {
    fn new(role: &'static str) -> Self {
        Self { role, loaders: BTreeMap::new(), clashes: Vec::new() }
    }

    fn put<P: Persist>(&mut self, load: Load<V>) {
        let name = std::any::type_name::<P>();
        if let Some((other, _)) = self.loaders.insert(P::TAG, (name, load))
            && other != name
        {
            self.clashes.push(P::TAG);
        }
    }

    fn load(&self, saved: &Saved, registry: &Registry) -> Result<V> {
        match self.loaders.get(saved.tag.as_str()) {
            Some((_, load)) => load(saved, registry),
            None => Err(PersistError::UnknownTag {
                role: self.role,
                tag: saved.tag.clone(),
                known: self.loaders.keys().map(ToString::to_string).collect(),
            }
            .into()),
        }
    }

    fn tags(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.loaders.keys().map(|tag| (self.role, *tag))
    }
}

impl Registry {
    /// A registry that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a transformer and what it learns, for all tasks.
    pub fn transformer<S>(&mut self) -> &mut Self
    where
        S: Transformer<Regression> + Transformer<Binary> + Transformer<Multiclass> + Transformer<Ranking>,
    {
        self.transformer_for::<Regression, S>()
            .transformer_for::<Binary, S>()
            .transformer_for::<Multiclass, S>()
            .transformer_for::<Ranking, S>()
    }

    /// Registers a transformer and what it learns, for one task.
    pub fn transformer_for<T: Task, S: Transformer<T>>(&mut self) -> &mut Self {
        T::loaders_mut(self).transformers.put::<S>(|saved, _| Ok(BoxTransformer::new(saved.load::<S>()?)));
        self.transform::<S::Fitted>()
    }

    /// Registers a learned transform.
    pub fn transform<F: Transform>(&mut self) -> &mut Self {
        self.transforms.put::<F>(|saved, _| Ok(BoxTransform::new(saved.load::<F>()?)));
        self
    }

    /// Registers a sampler for one task.
    pub fn sampler<T: Task, S: Sampler<T>>(&mut self) -> &mut Self {
        T::loaders_mut(self).samplers.put::<S>(|saved, _| Ok(BoxSampler::new(saved.load::<S>()?)));
        self
    }

    /// Registers a learner and its model for one task.
    pub fn learner<T: Task, L: Learner<T>>(&mut self) -> &mut Self {
        T::loaders_mut(self).learners.put::<L>(|saved, registry| {
            let mut spec = saved.load::<L>()?;
            spec.resolve(registry)?;
            Ok(BoxLearner::new(spec))
        });
        T::loaders_mut(self).models.put::<L::Model>(|saved, _| Ok(BoxModel::new(saved.load::<L::Model>()?)));
        self
    }

    /// Registers a calibrator and what it learns for one task.
    pub fn calibrator<T: Task, C: Calibrator<T>>(&mut self) -> &mut Self {
        T::loaders_mut(self).calibrators.put::<C>(|saved, _| Ok(BoxCalibrator::new(saved.load::<C>()?)));
        T::loaders_mut(self).calibrates.put::<C::Fitted>(|saved, _| Ok(BoxCalibrate::new(saved.load::<C::Fitted>()?)));
        self
    }

    /// Registers a metric for one task.
    pub fn metric_for<T: Task, M: Metric<T>>(&mut self) -> &mut Self {
        T::loaders_mut(self).metrics.put::<M>(|saved, _| Ok(AnyMetric::new(saved.load::<M>()?)));
        self
    }

    /// Loads a metric.
    ///
    /// # Errors
    /// [`PersistError::UnknownTag`], or bytes that do not decode.
    pub fn metric<T: Task>(&self, saved: &Saved) -> Result<AnyMetric<T>> {
        T::loaders(self).metrics.load(saved, self)
    }

    pub(crate) fn load_transformer<T: Task>(&self, saved: &Saved) -> Result<BoxTransformer<T>> {
        T::loaders(self).transformers.load(saved, self)
    }

    pub(crate) fn load_transform(&self, saved: &Saved) -> Result<BoxTransform> {
        self.transforms.load(saved, self)
    }

    pub(crate) fn load_sampler<T: Task>(&self, saved: &Saved) -> Result<BoxSampler<T>> {
        T::loaders(self).samplers.load(saved, self)
    }

    pub(crate) fn load_learner<T: Task>(&self, saved: &Saved) -> Result<BoxLearner<T>> {
        T::loaders(self).learners.load(saved, self)
    }

    pub(crate) fn load_model<T: Task>(&self, saved: &Saved) -> Result<BoxModel<T>> {
        T::loaders(self).models.load(saved, self)
    }

    pub(crate) fn load_calibrator<T: Task>(&self, saved: &Saved) -> Result<BoxCalibrator<T>> {
        T::loaders(self).calibrators.load(saved, self)
    }

    pub(crate) fn load_calibrate<T: Task>(&self, saved: &Saved) -> Result<BoxCalibrate<T>> {
        T::loaders(self).calibrates.load(saved, self)
    }

    /// Every role and tag that is registered, each once.
    pub fn tags(&self) -> Vec<(&'static str, &'static str)> {
        fn of<T: Task>(loaders: &Loaders<T>) -> impl Iterator<Item = (&'static str, &'static str)> {
            (loaders.transformers.tags())
                .chain(loaders.samplers.tags())
                .chain(loaders.learners.tags())
                .chain(loaders.models.tags())
                .chain(loaders.calibrators.tags())
                .chain(loaders.calibrates.tags())
                .chain(loaders.metrics.tags())
        }
        let mut tags: Vec<_> = of(&self.regression)
            .chain(of(&self.binary))
            .chain(of(&self.multiclass))
            .chain(of(&self.ranking))
            .chain(self.transforms.tags())
            .collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// Checks that no tag names two types.
    ///
    /// # Errors
    /// [`PersistError::DuplicateTag`] for the first that does.
    pub fn check(&self) -> Result<()> {
        fn of<T: Task>(loaders: &Loaders<T>) -> Option<(&'static str, &'static str)> {
            fn first<V>(shelf: &Shelf<V>) -> Option<(&'static str, &'static str)> {
                shelf.clashes.first().map(|tag| (shelf.role, *tag))
            }
            first(&loaders.transformers)
                .or(first(&loaders.samplers))
                .or(first(&loaders.learners))
                .or(first(&loaders.models))
                .or(first(&loaders.calibrators))
                .or(first(&loaders.calibrates))
                .or(first(&loaders.metrics))
        }
        let transforms = self.transforms.clashes.first().map(|tag| (self.transforms.role, *tag));
        let ranking = of(&self.ranking);
        match of(&self.regression).or(of(&self.binary)).or(of(&self.multiclass)).or(ranking).or(transforms) {
            None => Ok(()),
            Some((role, tag)) => Err(PersistError::DuplicateTag { role, tag: tag.into() }.into()),
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Registry").field(&self.tags()).finish()
    }
}
