/** Contracts for ops and cells of a user's own, and gradient checks as JUnit tests. */
module carousel.testing {
  requires static org.jspecify;
  requires transitive carousel.nn;
  requires transitive org.junit.jupiter.api;
  requires transitive org.junit.jupiter.params;

  exports carousel.testing;

  // JUnit makes the providers and extensions that annotations name.
  opens carousel.testing to
      org.junit.platform.commons;
}
