/** Layers, recurrent cells, losses, optimisers and data for neural networks. */
module carousel.nn {
  requires static org.jspecify;
  requires transitive carousel.autograd;

  exports carousel.nn;
  exports carousel.nn.data;
  exports carousel.nn.init;
  exports carousel.nn.io;
  exports carousel.nn.layer;
  exports carousel.nn.loss;
  exports carousel.nn.optim;
  exports carousel.nn.recurrent;
}
