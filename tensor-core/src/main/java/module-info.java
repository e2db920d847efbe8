/** Off-heap tensors, operations as rows, and the CPU. */
module carousel.tensor {
  requires static org.jspecify;
  requires jdk.incubator.vector;

  exports carousel.tensor.spi;
}
