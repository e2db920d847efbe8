package carousel.zoo.system;

/** A record of options: one of them is the seed, and the same options give the same bits. */
public interface Seeded {
  /**
   * What the random numbers come from.
   *
   * @return any number
   */
  long seed();
}
