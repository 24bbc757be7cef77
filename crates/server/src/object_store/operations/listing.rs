//! `ListObjects` and `ListObjectsV2`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use s3s::S3Request;
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass,
};

use super::{encoded, etag, page_size, signed};
use crate::object_store::index::listing::{Page, Selection};
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;

impl Store {
    pub(super) async fn page_of_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> Result<ListObjectsOutput, Refusal> {
        let input = request.input;
        let encoding = input.encoding_type;
        let limit = page_size(input.max_keys)?;
        let page = self
            .page(Selection {
                bucket: input.bucket.clone(),
                prefix: input.prefix.clone().unwrap_or_default(),
                delimiter: input.delimiter.clone(),
                after: input.marker.clone(),
                limit,
            })
            .await?;
        let encode = |text: String| encoded(&text, encoding.as_ref());
        Ok(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(encode(input.prefix.unwrap_or_default())),
            marker: Some(encode(input.marker.unwrap_or_default())),
            max_keys: i32::try_from(limit).ok(),
            is_truncated: Some(page.next.is_some()),
            next_marker: page.next.clone().map(encode),
            delimiter: input.delimiter.map(encode),
            common_prefixes: Some(common_prefixes(&page, encoding.as_ref())),
            contents: Some(contents(page, encoding.as_ref())),
            encoding_type: encoding.clone(),
            ..Default::default()
        })
    }

    pub(super) async fn page_of_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> Result<ListObjectsV2Output, Refusal> {
        let input = request.input;
        let encoding = input.encoding_type;
        let limit = page_size(input.max_keys)?;
        let after = match &input.continuation_token {
            Some(token) => Some(
                BASE64
                    .decode(token)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or(Refusal::InvalidArgument("the continuation token is not ours"))?,
            ),
            None => input.start_after.clone(),
        };
        let page = self
            .page(Selection {
                bucket: input.bucket.clone(),
                prefix: input.prefix.clone().unwrap_or_default(),
                delimiter: input.delimiter.clone(),
                after,
                limit,
            })
            .await?;
        let encode = |text: String| encoded(&text, encoding.as_ref());
        Ok(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(encode(input.prefix.unwrap_or_default())),
            max_keys: i32::try_from(limit).ok(),
            key_count: i32::try_from(page.entries.len() + page.common_prefixes.len()).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_ref().map(|next| BASE64.encode(next)),
            start_after: input.start_after.map(encode),
            delimiter: input.delimiter.map(encode),
            common_prefixes: Some(common_prefixes(&page, encoding.as_ref())),
            contents: Some(contents(page, encoding.as_ref())),
            encoding_type: encoding.clone(),
            ..Default::default()
        })
    }

    async fn page(&self, selection: Selection) -> Result<Page, Refusal> {
        self.index.read(move |connection| Page::of(connection, &selection)).await
    }
}

fn common_prefixes(page: &Page, encoding: Option<&EncodingType>) -> Vec<CommonPrefix> {
    page.common_prefixes
        .iter()
        .map(|prefix| CommonPrefix { prefix: Some(encoded(prefix, encoding)) })
        .collect()
}

fn contents(page: Page, encoding: Option<&EncodingType>) -> Vec<Object> {
    page.entries
        .into_iter()
        .map(|entry| Object {
            key: Some(encoded(&entry.key, encoding)),
            size: Some(signed(entry.size)),
            e_tag: Some(etag(&entry.etag)),
            last_modified: Some(entry.modified.timestamp()),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            ..Default::default()
        })
        .collect()
}
