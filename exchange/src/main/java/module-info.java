/** Models to and from what other frameworks read and write. */
module carousel.exchange {
  requires static org.jspecify;
  requires transitive carousel.nn;

  exports carousel.exchange.onnx;
  exports carousel.exchange.pytorch;
}
