package carousel.nn.io;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;
import static java.util.stream.Collectors.toSet;

import carousel.nn.Embedding;
import carousel.nn.Layer;
import carousel.nn.LayerNorm;
import carousel.nn.Linear;
import carousel.nn.io.StateDictTable.Image;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The weights of a model by the names and in the layouts of PyTorch's {@code state_dict}.
 *
 * <pre>{@code
 * Safetensors.save(file, StateDict.of(model));    // model.load_state_dict(load_file(file))
 * StateDict.load(model, Safetensors.load(file));  // save_file(model.state_dict(), file)
 * }</pre>
 *
 * <p>The components of records are the attributes of modules: {@code record Model(Embedding embed,
 * Stack lstm, Linear head)} is a module whose {@code __init__} makes {@code self.embed}, {@code
 * self.lstm} and {@code self.head}; a list is a {@code ModuleList} or {@code Sequential}, a parameter
 * of a record's own an {@code nn.Parameter}. What the layers hold is mapped by this table, both ways:
 *
 * <table>
 * <caption>Names and layouts</caption>
 * <tr><th>here</th><th>there</th><th>name</th><th>value</th></tr>
 * <tr><td>{@link Linear}</td><td>{@code nn.Linear}</td>
 *     <td>{@code weight [out,in]}</td><td>weightᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code bias [out]}</td><td>bias, if there is one</td></tr>
 * <tr><td>{@link Embedding}</td><td>{@code nn.Embedding}</td>
 *     <td>{@code weight [V,D]}</td><td>weight</td></tr>
 * <tr><td>{@link LayerNorm}</td><td>{@code nn.LayerNorm}</td>
 *     <td>{@code weight [D]}</td><td>gain</td></tr>
 * <tr><td></td><td></td><td>{@code bias [D]}</td><td>bias</td></tr>
 * <tr><td>{@code Recurrent} of {@code Elman}, tanh or ReLU</td><td>{@code nn.RNN}</td>
 *     <td>{@code weight_ih_lK [H,D]}</td><td>wxᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code weight_hh_lK [H,H]}</td><td>whᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code bias_ih_lK [H]}, {@code bias_hh_lK [H]}</td>
 *     <td>b and 0; b is their sum</td></tr>
 * <tr><td>{@code Recurrent} of {@code Lstm}</td><td>{@code nn.LSTM}</td>
 *     <td>{@code weight_ih_lK [4H,D]}</td><td>wxᵀ; gates i f g o in both</td></tr>
 * <tr><td></td><td></td><td>{@code weight_hh_lK [4H,H]}</td><td>whᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code bias_ih_lK [4H]}, {@code bias_hh_lK [4H]}</td>
 *     <td>b and 0; b is their sum</td></tr>
 * <tr><td>{@code Recurrent} of {@code GruResetAfter}</td><td>{@code nn.GRU}</td>
 *     <td>{@code weight_ih_lK [3H,D]}</td><td>wxᵀ; gates r z n in both</td></tr>
 * <tr><td></td><td></td><td>{@code weight_hh_lK [3H,H]}</td><td>whᵀ</td></tr>
 * <tr><td></td><td></td><td>{@code bias_ih_lK [3H]}, {@code bias_hh_lK [3H]}</td>
 *     <td>b and (0, 0, bh); of r and z b is their sum, of n b is the first and bh the second</td></tr>
 * <tr><td>{@code Stack}</td><td>{@code num_layers}</td>
 *     <td>K counts its layers from 0</td><td></td></tr>
 * <tr><td>{@code Bidirectional}</td><td>{@code bidirectional=True}</td>
 *     <td>{@code …_lK} and {@code …_lK_reverse}</td><td>forward and backward</td></tr>
 * <tr><td>a cell on its own</td><td>{@code nn.RNNCell}, {@code nn.LSTMCell}, {@code nn.GRUCell}</td>
 *     <td>without {@code _lK}</td><td></td></tr>
 * </table>
 *
 * <p>What PyTorch lacks has no names there, and is refused by name: the other cells, a learned initial
 * state, stacks of unlike layers, a reverse layer without its forward one. {@link Safetensors} saves
 * any model under its own names.
 *
 * <p>Source: the documentation of PyTorch's modules.
 */
public final class StateDict {
  private StateDict() {}

  /**
   * The weights of a model as PyTorch has them.
   *
   * @param model any layer
   * @return by PyTorch's names, in the order of the model; views of the weights, which change with
   *     them, or new tensors of the innermost scope where the table says more than a layout
   * @throws TensorException if it holds a layer that PyTorch does not have
   */
  public static Map<String, Tensor> of(Layer model) {
    var tensors = new LinkedHashMap<String, Tensor>();
    for (var image : StateDictTable.of(model)) tensors.put(image.name(), image.theirs());
    return tensors;
  }

  /**
   * Overwrites the weights of a model by those of PyTorch. All names, types and shapes are compared
   * first, so that the weights of another model change nothing. A weight that is reached by several
   * names must be there under one, and the same under all that are.
   *
   * @param model any layer
   * @param tensors as {@code state_dict} names them
   * @throws TensorException if it holds a layer that PyTorch does not have, or if a name is missing,
   *     unexpected, of another type or of another shape; the message lists all of them
   */
  public static void load(Layer model, Map<String, Tensor> tensors) {
    var problems = new ArrayList<String>();
    var images = StateDictTable.of(model);
    var groups = images.stream().collect(groupingBy(Image::targets, LinkedHashMap::new, toList()));
    var chosen = new ArrayList<Image>();
    for (var group : groups.values()) {
      var given = group.stream().filter(image -> tensors.containsKey(image.name())).toList();
      if (given.isEmpty()) {
        problems.add("missing: " + group.getFirst());
      } else {
        chosen.add(given.getFirst());
        compare(given, tensors, problems);
      }
    }
    var expected = images.stream().map(Image::name).collect(toSet());
    tensors.forEach((name, tensor) -> {
      if (!expected.contains(name)) problems.add("unexpected: %s %s".formatted(name, type(tensor)));
    });
    if (!problems.isEmpty()) {
      throw new TensorException(
          "state dict: nothing was loaded, differences: %d\n  %s"
              .formatted(problems.size(), String.join("\n  ", problems)));
    }
    try (var loading = Scope.openUnwatched()) {
      for (var image : chosen) image.load(given(image, tensors));
    }
  }

  /** What is given for one weight, under one name or several. */
  private static void compare(
      List<Image> images, Map<String, Tensor> tensors, List<String> problems) {
    var first = given(images.getFirst(), tensors);
    for (var image : images) {
      var tensor = given(image, tensors);
      if (tensor.dtype() != image.dtype() || !tensor.shape().equals(image.shape())) {
        problems.add("does not fit: %s, given %s".formatted(image, type(tensor)));
      } else if (!tensor.sameValues(first)) {
        problems.add(
            "one weight in the model, two values: %s and %s"
                .formatted(images.getFirst().name(), image.name()));
      }
    }
  }

  private static Tensor given(Image image, Map<String, Tensor> tensors) {
    return Objects.requireNonNull(tensors.get(image.name()));
  }

  private static String type(Tensor tensor) {
    return tensor.dtype() + " " + tensor.shape();
  }
}
