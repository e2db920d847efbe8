/** The systems of the literature as small runnable programs, and the command line. */
module carousel.zoo {
  requires static org.jspecify;
  requires transitive carousel.nn;
  requires info.picocli;
  requires jdk.management;
  requires org.apache.lucene.analysis.kuromoji;
  requires org.apache.lucene.core;

  exports carousel.zoo.grammar;
  exports carousel.zoo.graph;
  exports carousel.zoo.lm;

  opens carousel.zoo to
      info.picocli;

  uses carousel.tensor.spi.Probe;
}
