extension S3Storage: CustomReflectable {
    /// A mirror with the label only: what a storage is made of holds secrets.
    public var customMirror: Mirror { Mirror(self, children: ["label": label]) }
}
