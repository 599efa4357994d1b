extension HTTPHeaders {
    /// Appends all headers of another set, after those that are there.
    package mutating func append(contentsOf other: HTTPHeaders) {
        for field in other.fields { append(field.name, field.value) }
    }
}
