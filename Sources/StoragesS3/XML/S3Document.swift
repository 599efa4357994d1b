import NIOCore

/// Opens the bodies of successful responses.
enum S3Document {
    /// Returns the root of a document, unless it is `Error`.
    ///
    /// - Parameters:
    ///   - body: The whole body.
    ///   - roots: The names that the root may have; empty for any, because servers do not agree on all of them.
    static func root(of body: ByteBuffer, named roots: [String] = []) throws(UnusableDocument) -> XMLElement {
        let root: XMLElement
        do {
            root = try XMLReader.read(body)
        } catch {
            throw .unreadable("The response is not a usable document. \(error)")
        }
        guard root.name != "Error", root.name != "ErrorResponse" else { throw .error(S3ErrorDocument(root)) }
        guard roots.isEmpty || roots.contains(root.name) else {
            throw .unreadable(
                "The response is a document \"\(printable(root.name, limit: 40))\" instead of \"\(roots[0])\". "
                    + "Does the endpoint speak S3?"
            )
        }
        return root
    }

    /// Returns a value that a document must have.
    static func required<Value>(_ value: Value?, _ name: String, in root: XMLElement) throws(UnusableDocument) -> Value
    {
        guard let value else {
            throw .unreadable("The response \"\(printable(root.name, limit: 40))\" has no usable \(name).")
        }
        return value
    }

    /// Returns text from a server for a message: controls become spaces, and it is cut.
    static func printable(_ text: String, limit: Int) -> String {
        var result = ""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == limit {
                result += "…"
                break
            }
            let isPrintable =
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: false
                default: true
                }
            result.unicodeScalars.append(isPrintable ? scalar : " ")
        }
        return result
    }
}

/// The reason why the body of a response with a status of success is no success.
enum UnusableDocument: Error, Sendable, CustomStringConvertible {
    /// A document whose root is `Error`: the request failed after its status had been sent. It is judged by its error
    /// code, as if the status were 500.
    case error(S3ErrorDocument)
    /// A body that is empty, cut, not XML, or without the values of the response: it is treated as status 500.
    case unreadable(String)

    var description: String {
        switch self {
        case .error(let document): document.description
        case .unreadable(let reason): reason
        }
    }
}
