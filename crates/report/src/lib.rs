//! Reports for stagewise: terminal text and self-contained HTML with SVG charts.
