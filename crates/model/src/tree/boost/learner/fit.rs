//! How boosting is set up: what the design and the settings say becomes a plan, and trees become a model.

use std::borrow::Cow;

use stagewise_core::context::FitContext;
use stagewise_core::error::{Crumb, ParameterError, Result, SchemaError};
use stagewise_core::matrix::{Design, Features};
use stagewise_core::persist::Persist;
use stagewise_core::schema::Schema;

use super::GradientBoosting;
use crate::tree::boost::arrange::CACHE;
use crate::tree::boost::input::{Numbers, check};
use crate::tree::boost::lambda::Lists;
use crate::tree::boost::loss::Goal;
use crate::tree::boost::objective::{Objective, Truth};
use crate::tree::boost::start::StartRows;
use crate::tree::boost::train::{Plan, Rows, boost};
use crate::tree::boost::watch::{Answered, Watch, seen};
use crate::tree::class_weights::{ClassWeights, multiplied};
use crate::tree::ensemble::{Combine, TreeEnsemble};

impl GradientBoosting {
    /// Boosts; `default` is the task's objective, and those that `may` be are its others.
    pub(super) fn boost<T: Answered<Target: Numbers>>(
        &self,
        train: &Design<T>,
        default: Objective,
        may: fn(Objective) -> bool,
        cx: &FitContext,
    ) -> Result<TreeEnsemble> {
        let objective = self.objective.unwrap_or(default);
        ParameterError::check(may(objective), "objective", format!("{objective:?}"), "one of this task's objectives")?;
        self.toward(train, Goal::Built(objective), cx)
    }

    /// Boosts by a loss of the user's own.
    pub(in crate::tree::boost) fn given<T: Answered<Target: Numbers>>(
        &self,
        train: &Design<T>,
        loss: Goal<'_>,
        cx: &FitContext,
    ) -> Result<TreeEnsemble> {
        let (objective, allowed) = (self.objective, "not set where a loss is given");
        ParameterError::check(objective.is_none(), "objective", format!("{objective:?}"), allowed)?;
        self.toward(train, loss, cx)
    }

    fn toward<T: Answered<Target: Numbers>>(
        &self,
        train: &Design<T>,
        objective: Goal<'_>,
        cx: &FitContext,
    ) -> Result<TreeEnsemble> {
        self.check()?;
        check(train, Self::TAG)?;
        let (targets, outputs) = (train.target.numbers(), train.target.outputs());
        objective.check(&targets)?;
        let allowed = "no where the objective's leaves answer a quantile";
        let quantile = self.linear_leaves && objective.leaf_quantile().is_some();
        ParameterError::check(!quantile, "linear_leaves", "yes", allowed)?;
        let growth = self.growth(train.features.schema())?;
        let factors = self.class_factors(&train.target, &targets, train.weights())?;
        let reweighted = |targets: &[f64], weights| {
            factors.as_ref().map(|factors| multiplied(factors, targets.iter().map(|&class| class as usize), weights))
        };
        let counted = |target: &T::Target, targets: &[f64], weights| match reweighted(targets, weights) {
            Some(weights) => Some(Cow::Owned(weights)),
            None => target.weights(weights),
        };
        let weights = counted(&train.target, &targets, train.weights());
        let truth = Truth { values: &targets, weights: weights.as_deref() };
        let lists = |target: &T::Target| match objective {
            Goal::Built(objective) => target.lists(objective),
            Goal::Given(_) => None,
        };
        let train_lists = lists(&train.target);
        let offset = self.offset_place(train.features.schema(), outputs)?;
        let base = match &self.start {
            Some(model) => self.continued(model, train, outputs, objective)?.base().to_vec(),
            None => objective.start(&StartRows::new(truth, offsets(&train.features, offset)?), outputs)?,
        };
        let scores = |features: &Features| -> Result<Option<Vec<f64>>> {
            match &self.start {
                Some(model) => Ok(Some(model.scores(features)?.into_raw_vec_and_offset().0)),
                // As the model will: the base first.
                None => Ok(offsets(features, offset)?.map(|all| all.iter().map(|offset| base[0] + offset).collect())),
            }
        };
        let train_scores = scores(&train.features)?;
        let (table, scores_of) = (train.features.table(), train_scores.as_deref());
        let rows = Rows { table, truth, lists: train_lists.as_ref(), scores: scores_of };
        let held = match &train.validation {
            Some(held) => {
                check(held, Self::TAG)?;
                let targets = held.target.numbers();
                let (weights, lists) = (counted(&held.target, &targets, held.weights()), lists(&held.target));
                let allowed = "`None` where no held-out group has a grade above 0";
                let tells = !lists.as_ref().is_some_and(Lists::irrelevant);
                ParameterError::check(self.early_stopping.is_none() || tells, "early_stopping", "set", allowed)?;
                Some((held, targets, weights, lists, scores(&held.features)?))
            }
            None => None,
        };
        let held = held.as_ref().map(|(held, targets, weights, lists, scores)| Rows {
            table: held.features.table(),
            truth: Truth { values: targets, weights: weights.as_deref() },
            lists: lists.as_ref(),
            scores: scores.as_deref(),
        });
        let allowed = "`None` where there are no held-out rows; fit it in a pipeline, which sets them apart";
        ParameterError::check(self.early_stopping.is_none() || held.is_some(), "early_stopping", "set", allowed)?;
        let earlier = self.start.as_ref().map_or(&[][..], |model| model.trees());
        let seen = seen(&train.target);
        let watch = Watch::new(&self.watched, train, seen.as_deref(), objective.link(), outputs)?;
        let plan = Plan {
            objective,
            outputs,
            rounds: self.rounds,
            learning_rate: self.learning_rate,
            growth: &growth,
            sampling: self.sampling,
            columns_by_tree: self.columns_by_tree,
            max_bins: self.max_bins,
            patience: self.early_stopping,
            watch: self.history,
            seen: seen.as_deref(),
            metrics: watch.as_ref().map(|watch| watch as _),
            offset,
            lines: self.linear_leaves.then_some(self.linear_l2),
            cache: CACHE,
        };
        let boosted = boost(&plan, &base, earlier.len() / outputs.max(1), rows, held, cx)?;
        let trees = [earlier, &boosted.trees].concat();
        let names = train.features.schema().names();
        let mut model = TreeEnsemble::sum(names, base.clone(), trees)?.link(objective.link()).missing(true);
        if let Some(column) = &self.offset {
            model = model.offset(column)?;
        }
        for (column, direction) in &self.monotone {
            model.prove_monotone(column, *direction)?;
        }
        if !self.interactions.is_empty() {
            model.prove_interactions(&self.interactions)?;
        }
        Ok(match boosted.history {
            Some(history) => model.history(history),
            None => model,
        })
    }

    /// The place of the offset's column, if there is one.
    fn offset_place(&self, schema: &Schema, outputs: usize) -> Result<Option<usize>> {
        let Some(column) = &self.offset else { return Ok(None) };
        let constrained = self.monotone.iter().any(|(name, _)| name == column);
        ParameterError::check(!constrained, "monotone", column, "a column that is not the offset, which always rises")?;
        ParameterError::check(outputs == 1, "offset", column, "not set where there are several classes")?;
        schema.require(column).map(Some)
    }

    /// What the rows of each class are multiplied by, if by anything.
    fn class_factors(&self, target: &impl Numbers, codes: &[f64], weights: Option<&[f64]>) -> Result<Option<Vec<f64>>> {
        let Some(classes) = target.class_count() else {
            let (equal, value) = (self.class_weights == ClassWeights::Equal, format!("{:?}", self.class_weights));
            ParameterError::check(equal, "class_weights", value, "Equal where the truth is a number")?;
            return Ok(None);
        };
        Ok(self.class_weights.factors(codes.iter().map(|&code| code as usize), classes, weights))
    }

    /// The model to go on from, if it fits.
    fn continued<'a, T: Answered>(
        &self,
        model: &'a TreeEnsemble,
        train: &Design<T>,
        outputs: usize,
        objective: Goal<'_>,
    ) -> Result<&'a TreeEnsemble> {
        let expected = train.features.schema().names();
        if model.features() != expected {
            return Err(SchemaError::WrongColumns { expected, found: model.features().to_vec() }.into());
        }
        let fits = model.combine() == Combine::Sum
            && model.outputs() == outputs
            && model.answer_link() == objective.link()
            && model.offset_feature() == self.offset.as_deref();
        let (link, offset) = (model.answer_link(), model.offset_feature().unwrap_or("nothing"));
        let value = format!("a model with {} outputs, the link {link:?} and the offset {offset}", model.outputs());
        ParameterError::check(fits, "start", value, "a boosted model of the same objective, classes and offset")?;
        Ok(model)
    }
}

/// The offsets of rows, if they have any.
fn offsets(features: &Features, place: Option<usize>) -> Result<Option<&[f64]>> {
    let (columns, fields) = (features.table().columns(), features.schema().fields());
    match place.and_then(|place| columns.get(place).zip(fields.get(place))) {
        Some((column, field)) => {
            column.require_finite().map(Some).map_err(|e| e.at(Crumb::column(field.name.as_ref())))
        }
        None => Ok(None),
    }
}
