/** The CUDA side of Carousel; found through services, never compiled against. */
module carousel.cuda {
  requires static jcublas;
  requires static jcuda;
  requires static org.jspecify;
  requires transitive carousel.tensor;

  exports carousel.cuda;

  provides carousel.tensor.spi.BackendProvider with
      carousel.cuda.CudaProvider;
  provides carousel.tensor.spi.Probe with
      carousel.cuda.probe.CudaProbe;
}
