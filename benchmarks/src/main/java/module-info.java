/** Measurements of the engine and of the layers built on it. */
module carousel.benchmarks {
  requires static org.jspecify;
  requires carousel.nn;
  requires jmh.core;
}
