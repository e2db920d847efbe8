/** Reverse-mode differentiation of tensor programs, to any order. */
module carousel.autograd {
  requires static org.jspecify;
  requires jdk.jfr;
  requires transitive carousel.tensor;

  exports carousel.autograd;
}
