/** Off-heap tensors, operations as rows, and the CPU. */
module carousel.tensor {
  requires static org.jspecify;
  requires jdk.incubator.vector;

  exports carousel.tensor;
  exports carousel.tensor.op;
  exports carousel.tensor.reference;
  exports carousel.tensor.spi;

  uses carousel.tensor.spi.BackendProvider;
}
