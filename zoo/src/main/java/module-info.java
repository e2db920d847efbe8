/** The systems of the literature as small runnable programs, and the command line. */
module carousel.zoo {
  requires static org.jspecify;
  requires transitive carousel.exchange;
  requires info.picocli;
  requires java.desktop;
  requires jdk.management;
  requires org.apache.lucene.analysis.kuromoji;
  requires org.apache.lucene.core;

  exports carousel.zoo;
  exports carousel.zoo.data;
  exports carousel.zoo.data.grammar;
  exports carousel.zoo.draw;
  exports carousel.zoo.plot;
  exports carousel.zoo.run;
  exports carousel.zoo.system;

  // The families.
  exports carousel.zoo.control;
  exports carousel.zoo.language;
  exports carousel.zoo.memory;

  opens carousel.zoo.cli to
      info.picocli;

  uses carousel.tensor.spi.Probe;
}
