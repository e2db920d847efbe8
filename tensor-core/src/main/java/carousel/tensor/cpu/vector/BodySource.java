package carousel.tensor.cpu.vector;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The classes whose static methods are bodies of elementwise operations, per lane type. */
enum BodySource {
  /** Bodies that are the same for every lane type. */
  ANY(AnyBodies.class),
  F32(F32Bodies.class, F32Logarithms.class),
  F64(F64Bodies.class, F64Logarithms.class, F64Angles.class),
  I32(I32Bodies.class);

  private final List<Class<?>> types;

  BodySource(Class<?>... types) {
    this.types = List.of(types);
  }

  /** The class of bodies with this internal name, or null. */
  static @Nullable Class<?> named(String internalName) {
    for (BodySource source : values()) {
      for (Class<?> type : source.types) {
        if (type.getName().replace('.', '/').equals(internalName)) {
          return type;
        }
      }
    }
    return null;
  }

  /** Whether one of the classes declares a body of this name. */
  boolean has(String body) {
    return find(body) != null;
  }

  /** The class that declares a body. */
  Class<?> owner(String body) {
    Class<?> owner = find(body);
    if (owner == null) {
      throw new IllegalArgumentException("there is no body " + body + " for " + this);
    }
    return owner;
  }

  private @Nullable Class<?> find(String body) {
    for (Class<?> type : types) {
      for (var method : type.getDeclaredMethods()) {
        if (method.getName().equals(body)) {
          return type;
        }
      }
    }
    return null;
  }
}
