package carousel.zoo.cli;

import picocli.CommandLine.IVersionProvider;

/** Says which Carousel this is, and on which JVM. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {
      "Carousel " + number(),
      "Java " + Runtime.version() + ", " + System.getProperty("java.vm.name")
    };
  }

  private static String number() {
    String version = Carousel.class.getPackage().getImplementationVersion();
    return version == null ? "0.1.0-SNAPSHOT" : version;
  }
}
