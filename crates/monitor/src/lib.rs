//! Monitoring for stagewise: drift between reference and current summaries.
