package carousel.zoo;

import carousel.nn.recurrent.Cells;
import carousel.tensor.Device;
import carousel.zoo.lm.Recipe;
import carousel.zoo.lm.Settings;
import carousel.zoo.lm.Tokenizer;
import java.util.Iterator;
import java.util.List;

/** The values that options take, for the help. */
final class Names {
  private Names() {}

  /** The devices of this machine. */
  static List<String> devices() {
    return Device.all().stream().map(Device::name).toList();
  }

  /** Of {@code --level}. */
  static final class Levels implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Settings.LEVELS.keySet().iterator();
    }
  }

  /** Of {@code --tokenizer}. */
  static final class Tokenizers implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Tokenizer.labels().iterator();
    }
  }

  /** Of {@code --recipe}. */
  static final class Recipes implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Recipe.labels().iterator();
    }
  }

  /** Of {@code --optimizer}. */
  static final class Optimizers implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Settings.OPTIMIZERS.iterator();
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
