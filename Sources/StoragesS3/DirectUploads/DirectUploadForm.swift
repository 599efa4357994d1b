public import Foundation
import StoragesHTTP

/// The fields of a form with which a browser uploads one file, without passing through this process.
///
/// Unlike a URL for `PUT` it bounds the size, so it is the way to let strangers upload. All fields are sent as
/// `multipart/form-data`, in this order, and the file behind them as the field `file`:
///
/// ```html
/// <form action="{{ form.url }}" method="post" enctype="multipart/form-data">
///   {{ for field in form.fields }}
///   <input type="hidden" name="{{ field.name }}" value="{{ field.value }}">
///   {{ end }}
///   <input type="file" name="file">
///   <button>Upload</button>
/// </form>
/// ```
///
/// or by a script:
///
/// ```js
/// const body = new FormData();
/// for (const field of form.fields) body.append(field.name, field.value);
/// body.append("file", input.files[0]);
/// const response = await fetch(form.url, { method: "POST", body });   // 204, or 400 for a file of another size
/// ```
///
/// Names and values are to be escaped as in every page. Every client that has the fields may use them until they
/// expire; its description, and what `dump` and a debugger's `po` show of it, leave the values out.
public struct DirectUploadForm: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A field of the form.
    public struct Field: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
        /// The name.
        public let name: String
        /// The value.
        public let value: String

        /// The name, without the value.
        public var description: String { "\(name)=…" }
        /// As ``description``.
        public var debugDescription: String { description }
        /// A mirror without the value.
        public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
    }

    /// The URL to which the form is sent.
    public let url: String
    /// The fields, in the order in which they are sent; the file comes behind them.
    public let fields: [Field]
    /// The date at which the form expires: earlier than asked for when the credentials that signed it end before.
    public let expiration: Date

    init(url: String, _ form: PostForm) {
        self.url = url
        fields = form.fields.map { Field(name: $0.name, value: $0.value) }
        expiration = form.expiration
    }

    /// Returns the value of a field.
    ///
    /// - Parameter name: Its name, whatever its case.
    /// - Returns: `nil` when there is no such field.
    public subscript(name: String) -> String? {
        fields.first { HTTPHeaders.areEqual($0.name, name) }?.value
    }

    /// The URL, the names of the fields, and the date at which the form expires.
    public var description: String {
        "DirectUploadForm(\(url); \(fields.map(\.name).joined(separator: ", ")); until "
            + "\(AmazonDate(expiration).iso8601))"
    }
    /// As ``description``.
    public var debugDescription: String { description }
    /// A mirror without the values.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
