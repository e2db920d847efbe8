package carousel.zoo.cli;

import carousel.nn.recurrent.Cells;
import carousel.zoo.language.Recipe;
import java.util.Iterator;

/** The values that options take, for the help. */
final class Names {
  private Names() {}

  /** Of {@code --recipe}. */
  static final class Recipes implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Recipe.labels().iterator();
    }
  }

  /** Of {@code --cell}. */
  static final class OfCells implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Cells.names().iterator();
    }
  }
}
