//! Deployment for stagewise: self-proving artifacts and the HTTP server.
