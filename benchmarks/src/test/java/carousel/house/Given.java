package carousel.house;

import carousel.nn.Layer;
import carousel.nn.Parameters;
import carousel.nn.data.Batchified;
import carousel.nn.data.Corpus;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.optim.Optimizer;
import carousel.nn.optim.Plateau;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What an example of the documentation may name without saying what it is. {@link ExamplesTest} compiles
 * each as if it stood in a subclass of this; nothing of it is ever run.
 */
@SuppressWarnings("NullAway.Init")
public abstract class Given {
  protected Given() {}

  /** A language model. */
  public record Model(Embedding embed, Stacked stack, Linear head) implements Layer {
    /** A model that starts at random. */
    public static Model of(Philox rng) {
      throw new UnsupportedOperationException("examples are compiled, not run");
    }

    /** The loss of a batch. */
    public Tensor loss(Tensor x, Tensor y) {
      return x.sub(y).square().mean();
    }
  }

  /** What a model is trained on. */
  public record Batch(Tensor x, Tensor y) {}

  protected Model model;
  protected Parameters parameters;
  protected Optimizer adam;
  protected Optimizer optimizer;
  protected Plateau plateau;
  protected Recurrent<?> layer;
  protected Lstm lstm;
  protected GruResetBefore gru;
  protected Philox rng;
  protected Philox noise;

  protected Corpus corpus;
  protected Batchified data;
  protected List<Batch> batches;
  protected Batch batch;

  /** What a model adapts to, and what it is then judged by. */
  protected Batch support;

  protected Batch query;
  protected Tensor x;
  protected Tensor y;
  protected Tensor h;
  protected Tensor q;
  protected Tensor k;
  protected Tensor v;
  protected Tensor w;
  protected Tensor best;
  protected Tensor tokens;
  protected Tensor targets;
  protected Tensor lengths;
  protected Tensor begins;
  protected Tensor there;
  protected List<RecurrentState> states;
  protected Map<String, Tensor> tensors;
  protected Map<String, Tensor> weights;

  /** Steps of a sequence, rows of a batch, features of the input. */
  protected int T;

  protected int B;
  protected int D;

  protected int step;
  protected int steps;
  protected double validationLoss;

  protected Path file;
  protected Path folder;
  protected Path path;
  protected Path run;
}
