//! Feature engineering for stagewise: imputers, scalers, encoders.
