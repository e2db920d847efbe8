/** Measurements of the engine and of the layers built on it. */
module carousel.benchmarks {
  requires static org.jspecify;
  requires carousel.nn;
  requires java.management;
  requires jmh.core;

  opens carousel.benchmarks.compare to
      carousel.nn;
}
