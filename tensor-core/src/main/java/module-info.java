/** Off-heap tensors, operations as rows, and the CPU. */
module carousel.tensor {
  requires static org.jspecify;
  requires jdk.incubator.vector;
  requires jdk.management;

  exports carousel.tensor;
  exports carousel.tensor.op;
  exports carousel.tensor.reference;
  exports carousel.tensor.spi;
  exports carousel.tensor.trace;

  uses carousel.tensor.spi.BackendProvider;

  provides carousel.tensor.spi.BackendProvider with
      carousel.tensor.cpu.CpuProvider,
      carousel.tensor.reference.ReferenceProvider;
}
