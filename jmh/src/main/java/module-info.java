/** What benchmarks of tensor programs need beside JMH. */
module carousel.jmh {
  requires static org.jspecify;
  requires transitive carousel.tensor;
  requires transitive jmh.core;
  requires java.management;

  exports carousel.jmh;
}
