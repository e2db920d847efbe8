/** Measurements of the engine and of the layers built on it. */
module carousel.benchmarks {
  requires static org.jspecify;
  requires carousel.jmh;
  requires carousel.nn;
  requires java.logging;
  requires java.management;
  requires jmh.core;

  opens carousel.benchmarks.soak to
      carousel.nn;
  opens carousel.benchmarks.compare to
      carousel.nn;
  opens carousel.benchmarks.cells to
      carousel.nn;
}
