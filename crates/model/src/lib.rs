//! Learners and canonical models of stagewise.
