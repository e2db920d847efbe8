package carousel.zoo.draw;

import carousel.zoo.draw.Diagram.Edge;
import carousel.zoo.draw.Diagram.Node;
import java.util.ArrayList;
import java.util.List;

/** One step of a peephole LSTM, forward and backward, as a tracer would give it: over 100 nodes. */
final class LstmDiagram {
  private final List<Node> nodes = new ArrayList<>();
  private final List<Edge> edges = new ArrayList<>();

  private String add(NodeKind kind, String label, String detail, String... from) {
    String id = "n" + nodes.size();
    nodes.add(new Node(id, label, kind, detail));
    for (var source : from) {
      edges.add(new Edge(source, id, ""));
    }
    return id;
  }

  private String op(String label, String detail, String... from) {
    return add(NodeKind.OPERATION, label, detail, from);
  }

  private String back(String label, String detail, String... from) {
    return add(NodeKind.BACKWARD, label, detail, from);
  }

  private String part(String from, String name) {
    String id = op("narrow", "[N,H]");
    edges.add(new Edge(from, id, name));
    return id;
  }

  /** dz for y = σ(z): g ⊙ y ⊙ (1 − y). */
  private String sigmoidBack(String gradient, String y) {
    String rest = back("1 − y", "[N,H]", y);
    return back("mul", "[N,H]", back("mul", "[N,H]", gradient, y), rest);
  }

  /** dz for y = tanh z: g ⊙ (1 − y²). */
  private String tanhBack(String gradient, String y) {
    return back("mul", "[N,H]", gradient, back("1 − y", "[N,H]", back("square", "[N,H]", y)));
  }

  static Diagram peephole() {
    return new LstmDiagram().build();
  }

  private Diagram build() {
    String x = add(NodeKind.INPUT, "x", "[N,D]");
    String h = add(NodeKind.INPUT, "h'", "[N,H]");
    String c = add(NodeKind.INPUT, "c'", "[N,H]");
    String wx = add(NodeKind.PARAMETER, "wx", "[D,4H]");
    String wh = add(NodeKind.PARAMETER, "wh", "[H,4H]");
    String b = add(NodeKind.PARAMETER, "b", "[4H]");
    var p = new String[3];
    for (int i = 0; i < 3; i++) {
      p[i] = add(NodeKind.PARAMETER, "p" + "ifo".charAt(i), "[H]");
    }

    String xw = op("matmul", "[N,4H]", x, wx);
    String hw = op("matmul", "[N,4H]", h, wh);
    String z = op("add", "[N,4H]", op("add", "[N,4H]", xw, hw), b);
    String zi = part(z, "i");
    String zf = part(z, "f");
    String zg = part(z, "g");
    String zo = part(z, "o");
    String i = op("sigmoid", "[N,H]", op("add", "[N,H]", zi, op("mul", "[N,H]", p[0], c)));
    String f = op("sigmoid", "[N,H]", op("add", "[N,H]", zf, op("mul", "[N,H]", p[1], c)));
    String g = op("tanh", "[N,H]", zg);
    String next = op("add", "[N,H]", op("mul", "[N,H]", f, c), op("mul", "[N,H]", i, g));
    String o = op("sigmoid", "[N,H]", op("add", "[N,H]", zo, op("mul", "[N,H]", p[2], next)));
    String t = op("tanh", "[N,H]", next);
    String out = op("mul", "[N,H]", o, t);
    add(NodeKind.OUTPUT, "h", "[N,H]", out);
    add(NodeKind.OUTPUT, "c", "[N,H]", next);

    String dh = add(NodeKind.INPUT, "dh", "[N,H]");
    String dcNext = add(NodeKind.INPUT, "dc", "[N,H]");
    String dzo = sigmoidBack(back("mul", "[N,H]", dh, t), o);
    gradient("dpo", "[H]", back("sum", "[H]", back("mul", "[N,H]", dzo, next)));
    String viaTanh = tanhBack(back("mul", "[N,H]", dh, o), t);
    String dc = back("add", "[N,H]", viaTanh, back("mul", "[N,H]", dzo, p[2]));
    dc = back("add", "[N,H]", dc, dcNext);
    String dzi = sigmoidBack(back("mul", "[N,H]", dc, g), i);
    String dzf = sigmoidBack(back("mul", "[N,H]", dc, c), f);
    String dzg = tanhBack(back("mul", "[N,H]", dc, i), g);
    gradient("dpi", "[H]", back("sum", "[H]", back("mul", "[N,H]", dzi, c)));
    gradient("dpf", "[H]", back("sum", "[H]", back("mul", "[N,H]", dzf, c)));
    String dcPrev = back("mul", "[N,H]", dc, f);
    dcPrev = back("add", "[N,H]", dcPrev, back("mul", "[N,H]", dzi, p[0]));
    dcPrev = back("add", "[N,H]", dcPrev, back("mul", "[N,H]", dzf, p[1]));
    gradient("dc'", "[N,H]", dcPrev);
    String dz =
        back(
            "add",
            "[N,4H]",
            back("add", "[N,4H]", back("pad", "[N,4H]", dzi), back("pad", "[N,4H]", dzf)),
            back("add", "[N,4H]", back("pad", "[N,4H]", dzg), back("pad", "[N,4H]", dzo)));
    gradient("db", "[4H]", back("sum", "[4H]", dz));
    gradient("dwx", "[D,4H]", back("matmul", "[D,4H]", back("transpose", "[D,N]", x), dz));
    gradient("dwh", "[H,4H]", back("matmul", "[H,4H]", back("transpose", "[H,N]", h), dz));
    gradient("dx", "[N,D]", back("matmul", "[N,D]", dz, back("transpose", "[4H,D]", wx)));
    gradient("dh'", "[N,H]", back("matmul", "[N,H]", dz, back("transpose", "[4H,H]", wh)));
    return new Diagram("One step of the peephole LSTM, forward and backward", nodes, edges);
  }

  private void gradient(String label, String detail, String from) {
    add(NodeKind.GRADIENT, label, detail, from);
  }
}
