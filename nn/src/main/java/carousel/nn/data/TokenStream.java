package carousel.nn.data;

import java.util.Arrays;
import java.util.Objects;

/**
 * A text as token ids, {@code ids [L]}: what a language model reads from left to right. Immutable.
 */
public final class TokenStream {
  private final String name;
  private final int[] ids;

  private TokenStream(String name, int[] ids) {
    this.name = name;
    this.ids = ids;
  }

  /**
   * A stream of given ids.
   *
   * @param name names the stream in errors, as a file name does
   * @param ids token ids, copied
   * @return the stream
   * @throws CorpusException if there are fewer than two: one token has nothing to predict
   */
  public static TokenStream of(String name, int... ids) {
    return owning(name, ids.clone());
  }

  /** As {@link #of}, without the copy: the caller forgets the array. */
  static TokenStream owning(String name, int[] ids) {
    if (ids.length < 2) {
      throw new CorpusException(
          "%s: %s: a language model predicts a token from the one before it, so it needs 2 or more"
              .formatted(name, ids.length == 0 ? "no token" : "one token only"));
    }
    return new TokenStream(Objects.requireNonNull(name), ids);
  }

  /**
   * The name that stands in errors.
   *
   * @return as given
   */
  public String name() {
    return name;
  }

  /**
   * The number of tokens, L.
   *
   * @return at least 2
   */
  public int size() {
    return ids.length;
  }

  /**
   * One token.
   *
   * @param index from 0 to {@code L − 1}
   * @return its id
   * @throws IndexOutOfBoundsException if there is none
   */
  public int id(int index) {
    return ids[Objects.checkIndex(index, ids.length)];
  }

  /**
   * A copy of the ids.
   *
   * @return [L]
   */
  public int[] toArray() {
    return ids.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenStream that
        && name.equals(that.name)
        && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return 31 * name.hashCode() + Arrays.hashCode(ids);
  }

  @Override
  public String toString() {
    return "TokenStream[%s, %d tokens]".formatted(name, ids.length);
  }
}
