package carousel.zoo.language;

import carousel.nn.Layer;
import carousel.nn.data.TokenBatch;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.loss.Loss;
import carousel.nn.recurrent.CarriedState;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code p(token[t+1] | token[0 … t]) = softmax(W h[t] + b)}, h from a stack of recurrent layers over
 * embedded tokens; {@code tokens [T,N] → logits [T,N,V]}.
 *
 * <p>Dropout is applied to what goes into each layer and out of the last, never to what a layer hands
 * to itself from step to step.
 *
 * <p>Source: T. Mikolov et al., Recurrent neural network based language model (2010); with LSTM M.
 * Sundermeyer et al. (2012); the dropout W. Zaremba et al. (2014).
 *
 * @param embed {@code [V,H]}
 * @param stack the recurrent layers
 * @param head {@code [H,V]}
 * @param dropout between layers
 */
public record LanguageModel(Embedding embed, Stacked stack, Linear head, Dropout dropout)
    implements Layer {

  /**
   * What reading a window gives.
   *
   * @param logits {@code [T,N,V]}
   * @param state what the next window begins with
   */
  public record Reading(Tensor logits, List<RecurrentState> state) {}

  /**
   * A model with random weights, in the innermost scope. Embedded tokens start from {@code N(0, 1)}: a layer then sees
   * inputs of the size that its initialiser is made for. From {@code N(0, 0.1²)} a first epoch gets half as far.
   *
   * @param settings its size, cell and seed
   * @param vocabulary V
   * @return the model
   */
  public static LanguageModel of(Settings settings, int vocabulary) {
    var rng = Philox.of(settings.seed());
    int width = settings.hidden();
    var model =
        new LanguageModel(
            Embedding.of(vocabulary, width, Init.normal(1), rng),
            new Stacked(cells(settings, rng), new Dropout(settings.dropout())),
            Linear.of(width, vocabulary, Init.fanInUniform(), rng),
            new Dropout(settings.dropout()));
    if (settings.bound() > 0) {
      model.restart(Init.uniform(settings.bound()), rng);
    }
    return model;
  }

  private static List<Sequence> cells(Settings settings, Philox rng) {
    var layers = new ArrayList<Sequence>();
    for (int i = 0; i < settings.layers(); i++) {
      int width = settings.hidden();
      layers.add(Recurrent.of(Cells.of(settings.cell(), width, width, Init.xavierUniform(), rng)));
    }
    return layers;
  }

  /** Starts every weight, the biases included, by one recipe. */
  private void restart(Init init, Philox rng) {
    try (var making = TensorScope.open()) {
      for (var named : parameters()) {
        Tensor value = named.value();
        named.parameter().assign(init.sample(rng, value.dtype(), value.shape()));
      }
    }
  }

  /**
   * The weights under the names that files have them by.
   *
   * @return the tensors themselves
   */
  Map<String, Tensor> weights() {
    var weights = new LinkedHashMap<String, Tensor>();
    for (var named : parameters()) {
      weights.put(named.name(), named.value());
    }
    return weights;
  }

  /**
   * Reads a window.
   *
   * @param tokens I32 {@code [T,N]}
   * @param state as the reading before gave it; empty at the start
   * @return what may come next at every place, and the state at the end
   */
  public Reading read(Tensor tokens, List<? extends RecurrentState> state) {
    var run = stack.run(dropout.apply(embed.apply(tokens)), state); // [T,N,H]
    return new Reading(head.apply(dropout.apply(run.y())), run.states());
  }

  /**
   * Reads a text from its start, and says nothing of what may come next.
   *
   * @param tokens I32 {@code [T,N]}
   * @return the state at the end
   */
  List<RecurrentState> states(Tensor tokens) {
    return stack.run(dropout.apply(embed.apply(tokens))).states();
  }

  /**
   * The mean cross-entropy of a window, in nats per token.
   *
   * @param window tokens and targets {@code [T,N]}
   * @param state what it begins with; told what it ends with
   * @return a scalar
   */
  public Tensor loss(TokenBatch window, CarriedState state) {
    var read = read(window.tokens(), state.now());
    state.endWith(read.state());
    return Loss.crossEntropy(read.logits(), window.targets());
  }
}
