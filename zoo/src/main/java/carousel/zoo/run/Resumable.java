package carousel.zoo.run;

import carousel.nn.io.Checkpoint;
import carousel.tensor.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** A work of many steps that can be put down between two of them, and taken up from a checkpoint. */
public interface Resumable {
  /**
   * Where it stands.
   *
   * @return how many steps are made
   */
  long step();

  /**
   * What a checkpoint holds as tensors.
   *
   * @return by name
   */
  Map<String, Tensor> tensors();

  /**
   * What a checkpoint holds as strings.
   *
   * @return by name
   */
  Map<String, String> metadata();

  /**
   * Goes on from a checkpoint.
   *
   * @param checkpoint what was put down
   * @return what is to be said of that, in lines
   * @throws Failure if it is of another work, or its parts do not agree
   * @throws IOException if it cannot be read
   */
  List<String> restore(Checkpoint checkpoint) throws IOException;

  /**
   * Writes what can be read without a checkpoint, as far as it has changed.
   *
   * @throws IOException if it cannot be written; the old files are then as they were
   */
  void saveResults() throws IOException;
}
