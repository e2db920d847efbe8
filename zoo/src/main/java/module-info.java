/** The systems of the literature as small runnable programs, and the command line. */
module carousel.zoo {
  requires static org.jspecify;
  requires carousel.nn;
  requires info.picocli;
  requires me.tongfei.progressbar;

  exports carousel.zoo.grammar;
  exports carousel.zoo.graph;
}
